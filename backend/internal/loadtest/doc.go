// Package loadtest is the load test behind `haoked bench`. It starts the
// server and the simulator of an OpenAI-compatible API as processes of their
// own, opens real WebSockets, sends at times that were fixed beforehand
// (open loop: a slow answer never delays the next question, so no slow moment
// is left out), checks every frame that comes back, and compares with
// baselines that it starts under the same load in the same run.
package loadtest
