exports.handler = async () => 'directory';
