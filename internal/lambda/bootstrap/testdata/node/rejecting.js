Promise.reject(new RangeError('at start'));
exports.handler = async () => 1;
