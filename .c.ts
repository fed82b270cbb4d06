import { checkModel, formatCheck } from '/work/wt/sides/harness/check/index';
async function main() {
  for (const f of process.argv.slice(3)) {
    const t=Date.now();
    const r = await checkModel(f, { python: '/work/wt/venv/bin/python', sides: process.argv[2]==='all'?undefined:process.argv[2].split(',') as any });
    console.log(formatCheck(r), (Date.now()-t)/1000);
  }
}
main().catch(e=>{console.error(e);process.exit(1)});
