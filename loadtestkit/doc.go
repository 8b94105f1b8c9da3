// Package loadtestkit puts load on an HTTP handler, a URL or a Go function from
// inside go test, and asserts how it behaved.
//
//	func TestAPIUnderLoad(t *testing.T) {
//		loadtestkit.Run(t, loadtestkit.Options{
//			Target:      loadtestkit.Handler(api.Routes()),
//			Requests:    5000,
//			Concurrency: 50,
//			Limits:      loadtestkit.Limits{P99: 50 * time.Millisecond, Throughput: 500},
//		})
//	}
//
// Without Rate or Stages the workload is closed: each of Concurrency permits
// sends its next request when it has the response to the last. With them it is
// open: requests become due on a schedule, whatever the target does, and
// response time counts from when a request was due, so that a target that
// stalls cannot hide behind a client that waits for it.
//
// Load tests disturb each other's numbers. Those of one process take turns, in
// parallel tests too, and so do those of other processes on the machine, by a
// lock file in the temporary directory.
//
// Under -race and -cover a program is several times slower than it will be in
// use: limits on time and throughput are then reported and not judged. Limits
// on errors always are.
package loadtestkit
