//go:build unix

package testscripts

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"sync"
)

// An output collects what a program writes, and can be waited on.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // closed and replaced at each write
}

func newOutput() *output { return &output{written: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.written)
	o.written = make(chan struct{})
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await waits until something that matches pattern was written, and returns the match
// and its groups. It gives up when ctx ends or the program has ended.
func (o *output) await(ctx context.Context, ended <-chan struct{}, pattern string) ([]string, error) {
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return nil, err
	}
	for last := false; ; {
		o.mu.Lock()
		found, written := re.FindStringSubmatch(o.buf.String()), o.written
		o.mu.Unlock()
		switch {
		case found != nil:
			return found, nil
		case last:
			return nil, fmt.Errorf("no match for %#q in the output: %q", pattern, o.String())
		}
		select {
		case <-written:
		case <-ended:
			last = true
		case <-ctx.Done():
			last = true
		}
	}
}
