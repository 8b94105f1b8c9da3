package main

import "time"

// A job is one piece of work, the same for every tool.
type job struct {
	url         string        // http or https
	connections int           // kept busy; with a rate, of the tools that want a fixed number
	rate        int           // requests per second in all; 0: a connection sends its next when it has its response
	duration    time.Duration // whole seconds: some tools take nothing finer
	requests    int           // stop after so many instead; of load-tester alone; 0: by duration
	interrupt   time.Duration // interrupt it after so long, before it ends; 0: let it end
	fresh       bool          // a new connection for each request
	body        int           // octets of each response's body
	tail        bool          // p99.5 is wanted too
}

// An invocation is how a tool is told to do a job.
type invocation struct {
	args    []string
	stdin   string
	counted bool // it stops after a number of requests, not after the job's duration
}

// A result is what a tool reports.
type result struct {
	done   int64 // requests with a complete response
	failed int64 // all others, and responses of status 400 and up
	times  times
	took   time.Duration // of load-tester, as it reports it: longer than asked for if arrivals had to wait
}

// times are quantiles of latency by name: p50, p90, p95, p99, p99.5, max. What
// a tool does not print is not there.
type times map[string]time.Duration

// A tool is a load tester.
type tool struct {
	name    string   // its command
	get     string   // how to get it
	version []string // arguments that print its version; nil: it is a Go program, whose binary says

	// command says how to do a job. It is false if the tool cannot.
	command func(j job) (invocation, bool)

	// convert are its own commands that turn what it wrote into what parse
	// reads: each is given that on its standard input. None: nothing to do.
	convert [][]string
	parse   func(out []byte) (result, error)

	path string // where it was found
}

// seconds is a duration as a whole number of seconds.
func seconds(d time.Duration) int { return int(d / time.Second) }
