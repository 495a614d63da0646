exports.handler = async () => {
  return }{;
};
