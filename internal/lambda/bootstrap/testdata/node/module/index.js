export const handler = async () => 'esm'; export default { handler: 1 };
