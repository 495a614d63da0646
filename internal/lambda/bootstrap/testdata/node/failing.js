console.log('starting'); throw new RangeError('at start');
