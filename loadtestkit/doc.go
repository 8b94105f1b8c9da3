// Package loadtestkit puts load on an HTTP handler, a URL or a Go function from
// inside go test, and asserts how it behaved.
//
//	func TestItemsUnderLoad(t *testing.T) {
//		loadtestkit.Run(t, loadtestkit.Options{
//			Target: loadtestkit.Handler(api.Routes()).Get("/items"),
//			Limits: loadtestkit.Limits{P99: 50 * time.Millisecond},
//		})
//	}
//
// Options have three parts. The Target says what is sent and where to: a request
// to a [Handler], a [TLSHandler], a [URL] or a [Command], or a call of a [Func]. The Load says
// when requests are due: [Closed], [Open] or [Staged]. The Limits say what has to
// hold.
//
// In a closed workload each of n permits sends its next request when it has the
// response to the last. In an open one requests become due on a schedule, whatever
// the target does, and response time counts from when a request was due, so that a
// target that stalls cannot hide behind a client that waits for it.
//
// # Verdicts
//
// A limit passes or fails where the whole of a confidence interval says so, and is
// inconclusive otherwise. The interval allows for requests that are slow together,
// as those of one run are. A fail counts if a second run, after a pause, fails
// too, and not if this machine may have caused it: that is seen from what the
// system reports of other processes and of the hypervisor, and from a handler that
// does nothing, which gets the same load for 5 % of the time in a run until the
// verdict is clear and in every repeat. A request that failed, where none may
// fail, is a fact and counts at once.
//
// Code that keeps its limits fails in fewer than one run in a hundred, and a pass
// says with 95 % confidence that they were kept, for the load, the machine and the
// time that were measured. An inconclusive verdict skips the test;
// [Options].OnInconclusive changes that.
//
// [Compare] judges new code by old code measured in the same run, which is the test
// that a busy machine disturbs least. [Options].Baseline judges a run by those of
// earlier days. [FindCapacity] searches for the highest rate at which limits hold,
// and [Bench] reports to benchstat. [Measure] needs no test.
//
// # Turns
//
// Load tests disturb each other's numbers. Those of one process take turns, in
// parallel tests too, and so do those of other processes on the machine, by a lock
// file in the temporary directory. A test that has to wait says so in its log, and
// for which other. It waits until its deadline, and without one (-timeout 0) ten
// minutes; then it goes on, and says that too.
//
// go test shows the result of a test again, as "(cached)", while its code has not
// changed. It runs a test that measured again, because what was measured may have
// changed. With -count=1 it runs all tests again. That is needed where the temporary
// directory is on another volume than the package (Windows), which the test's log
// then says, and for what TestMain measures before its tests.
//
// Under -race and -cover a program is several times slower than it will be in use:
// limits on time and throughput are then reported and not judged. Limits on errors
// always are.
package loadtestkit
