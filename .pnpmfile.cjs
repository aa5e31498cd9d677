// The node-* packages declare `os` and `cpu` as strings. pnpm's lockfile keeps only arrays, and would
// then install every platform's Node everywhere.
const asList = (value) => (typeof value === 'string' ? [value] : value);

module.exports = {
  hooks: {
    readPackage(pkg) {
      if (/^node-(bin-)?(linux|darwin|win)-/.test(pkg.name ?? '')) {
        pkg.os = asList(pkg.os);
        pkg.cpu = asList(pkg.cpu);
      }
      return pkg;
    },
  },
};
