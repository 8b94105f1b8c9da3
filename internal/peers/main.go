// Peers runs load-tester and other load testers side by side and prints
// Markdown tables: how closely they follow the schedule, what latencies they
// report where the truth is known, and what a request costs them. It uses the
// tools that it finds on PATH and in $(go env GOPATH)/bin:
//
//	go -C internal/peers run . -help
//	go -C internal/peers run . -only schedule,freeze -rounds 5 > tables.md
//
// In each round every tool does the same work in turn, alone on one CPU, with
// the server on another one. A figure is the median of the rounds, with their
// range. The command lines stand below each table. All load goes to servers
// that Peers starts on loopback.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// tables lists all tables in the order in which they are measured.
var tables = []struct {
	name, about string
	run         func(context.Context, *bench) (*section, error)
}{
	{"schedule", "how late requests reach the server, at 1,000 and 10,000 per second", scheduleTable},
	{"freeze", "reported latencies of a server that freezes, beside the truth", freezeTable},
	{"mix", "reported latencies of a server with three known ones, beside the truth", mixTable},
	{"cpu", "CPU per request, throughput and memory, by connections", cpuTable},
	{"body", "throughput with bodies of 64 KiB and 1 MiB", bodyTable},
	{"tls", "HTTPS on kept-alive connections", tlsTable},
	{"fresh", "a new connection for each request", freshTable},
	{"open", "CPU per request at 20,000 per second", openTable},
	{"start", "from exec to the first request at the server", startTable},
	{"stop", "from Ctrl+C to the end, at 5,000 connections", stopTable},
	{"inprocess", "a test with loadtestkit and one written by hand", inProcessTable},
	{"growth", "how load-tester's own cost grows", growthTable},
}

// quickTables exercise nearly all of the code, in about twenty seconds.
const quickTables = "schedule,freeze,cpu,fresh,start,stop,growth"

func main() {
	if len(os.Args) > 1 && os.Args[1] == targetCommand {
		exit(serveTarget(os.Args[2:], os.Stdin, os.Stdout))
	}
	if runtime.GOOS != "linux" {
		exit(errors.New("measuring needs Linux: processes are pinned to CPUs and watched through /proc"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run measures the tables that args ask for. It writes each table to out when
// it is complete, and progress to log.
func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	b := &bench{log: log}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(log)
	only := flags.String("only", "", "`TABLES` to print, separated by commas (default all; with -quick "+quickTables+")")
	named := flags.String("tools", "", "`TOOLS` to run beside load-tester, separated by commas (default all that it finds)")
	flags.IntVar(&b.rounds, "rounds", 5, "measure everything `N` times")
	flags.DurationVar(&b.length, "duration", 5*time.Second, "length of each run of a cost table, in whole seconds")
	flags.BoolVar(&b.quick, "quick", false, "a smoke test: one round, little load; its figures mean nothing")
	flags.IntVar(&b.client, "client-cpu", -1, "`CPU` for the tools (default the last one allowed)")
	flags.IntVar(&b.server, "server-cpu", -1, "`CPU` for the servers (default the first one allowed)")
	flags.Usage = func() { printHelp(log, flags) }
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *only == "" && b.quick {
		*only = quickTables
	}
	chosen, err := chooseTables(*only)
	switch {
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case b.rounds < 1:
		return fmt.Errorf("-rounds %d: want at least 1", b.rounds)
	case b.length < time.Second || b.length%time.Second != 0:
		return fmt.Errorf("-duration %v: want whole seconds, because some tools accept nothing finer", b.length)
	}
	if b.quick {
		b.rounds, b.length = 1, time.Second
	}
	if err := b.prepare(ctx, *named); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()

	if err := b.describe(ctx, out); err != nil {
		return err
	}
	for _, t := range tables {
		if !slices.Contains(chosen, t.name) {
			continue
		}
		s, err := t.run(ctx, b)
		if ctx.Err() != nil {
			return errors.New("interrupted: this table and those after it are missing")
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if err := s.write(out); err != nil {
			return err
		}
	}
	return nil
}

// chooseTables splits a list of table names. Empty means all.
func chooseTables(only string) ([]string, error) {
	var known []string
	for _, t := range tables {
		known = append(known, t.name)
	}
	if only == "" {
		return known, nil
	}
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("-only: no table %q, want some of %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

func printHelp(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(w, "Usage: go -C internal/peers run . [flags] > tables.md\n\nRuns load-tester and its peers side by side and prints Markdown tables.\n\nFlags:\n")
	flags.PrintDefaults()
	fmt.Fprint(w, "\nTables:\n")
	for _, t := range tables {
		fmt.Fprintf(w, "  %-11s%s\n", t.name, t.about)
	}
	fmt.Fprint(w, "\nPeers, and how to get each:\n")
	for _, t := range peers {
		fmt.Fprintf(w, "  %-11s%s\n", t.name, t.get)
	}
	fmt.Fprint(w, "  nginx      apt install nginx (the server for cpu, body, tls, fresh, open, stop and growth)\n")
}
