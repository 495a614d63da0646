export const handler = async () => ['mjs', typeof awslambda, import.meta.url.split('/').at(-1)];
