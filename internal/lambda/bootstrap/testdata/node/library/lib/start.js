exports.handler = async () => 'main';
