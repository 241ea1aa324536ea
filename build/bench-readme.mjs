// Writes the performance table of README.md and README.zh-CN.md from the JSON
// of `haoked bench --short --json`: make bench-readme, on a machine that does
// nothing else.
import { readFileSync, writeFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))

// Rows of the report by the beginning of their names, in both languages.
const ROWS = [
  ['idle visitors held', 'Silent visitors held in one process', '一个进程保持的空闲访客数'],
  ['memory a visitor', 'Memory for each, conversation included, KB', '每位访客占用内存（含会话），KB'],
  ['memory a connection of the textbook', '... of a textbook server on the same library, without a conversation', '同一库的教科书式服务器（不含会话）'],
  ['processor at rest', 'Processor at rest with all of them, % of one', '全部空闲时的处理器占用，单核 %'],
  ['... while each sends', '... while each sends the widget’s heartbeat every 45 s', '……每位每 45 秒发送一次心跳时'],
  ['added latency p50 at 200', 'Added to the API’s own time at 200 streams at once, until the answer is on disk: half of the answers, ms', '200 路并发流时在接口耗时之上增加，直到回答落盘：半数回答，毫秒'],
  ['added latency p99 at 200', '... 99 of 100, ms', '…… 99% 的回答，毫秒'],
  ['... over the direct calls', '... over direct calls in the same minutes: half, ms', '…… 与同时段的直接调用相比：半数，毫秒'],
  ['... to the last piece', '... until the visitor has read it: half / 99 of 100, ms', '…… 直到访客读完：半数 / 99%，毫秒'],
  ['added standard deviation at 500', 'Added standard deviation at 500 streams at once, ms', '500 路并发流时增加的标准差，毫秒'],
  ['new upstream connections a call', 'New connections to the API for each call', '每次调用新建的接口连接数'],
  ['durable turns a second', 'Questions answered a second, both on disk', '每秒完成的问答（问与答均已落盘）'],
  ['goodput at three times', 'At three times that load, answered as a share of it', '三倍负载下仍完成的比例'],
  ['allocated for one answer', 'Memory allocated for one whole answer of 100 pieces, KB', '一条 100 段的完整回答所分配的内存，KB'],
  ['... times less than the textbook', '... times less than the textbook server', '…… 比教科书式服务器少的倍数'],
  ['... times json-iterator', 'Finding a piece’s text, times faster than json-iterator', '提取一段文字，比 json-iterator 快的倍数'],
  ['... times encoding/json', '... than encoding/json', '…… 比 encoding/json 快的倍数'],
  ['start to ready with', 'Start to ready, s, with stored conversations: {n}', '启动至就绪，秒，已存会话数：{n}'],
  ['size of the daemon', 'Size of the daemon, MB', '守护程序大小，MB'],
  ['most expensive turn over cheapest, visitors', 'Cost of an answer, dearest over cheapest, 10 to 10,000 visitors', '一次问答的成本，最高比最低（10 至 10,000 访客）'],
  ['most expensive turn over cheapest, conversations', '... with more and more stored conversations', '……（已存会话越来越多）'],
]

function table(zh) {
  const out = [zh ? '| 项目 | 结果 | 目标 | |' : '| what | result | asked | |', '|---|---:|---:|---|']
  for (const [begin, en, cn] of ROWS) {
    const r = report.rows.find(r => r.name.startsWith(begin))
    if (!r) continue
    const n = r.name.match(/with (\d+) stored/)?.[1]
    const label = (zh ? cn : en).replace('{n}', n ? Number(n).toLocaleString('en-US') : '')
    const mark = !r.target ? '' : r.busy ? (zh ? '未评定' : 'not judged') : r.met ? (zh ? '达到' : 'met') : (zh ? '**未达到**' : '**missed**')
    out.push(`| ${label} | ${r.result} | ${r.target ?? ''} | ${mark} |`)
  }
  const day = report.when.slice(0, 10)
  out.push('', zh
    ? `测量环境：${report.machine}，${report.go}，${report.version}，${day}，命令 \`${report.command}\`（${Math.round(report.seconds)} 秒）。服务器、模拟接口和负载在同一台机器上；基线在同一次运行中测得。`
    : `Measured on ${report.machine}, ${report.go}, ${report.version}, ${day}, by \`${report.command}\` (${Math.round(report.seconds)} s). Server, simulated API and load share the machine; the baselines ran in the same minutes.`)
  return out.join('\n')
}

for (const [file, zh] of [['README.md', false], ['README.zh-CN.md', true]]) {
  const text = readFileSync(file, 'utf8')
  const done = text.replace(/(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/, (_, a, b) => a + table(zh) + '\n' + b)
  if (done === text && !text.includes(table(zh))) throw new Error(`${file} has no place for the table: <!-- bench --> ... <!-- /bench -->`)
  writeFileSync(file, done)
}
