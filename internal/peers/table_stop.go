package main

import (
	"context"
	"fmt"
	"time"
)

var stopTime = metric{"from SIGINT to the end, ms", func(c cost) float64 { return ms(c.usage.stop) }}

func stopTable(ctx context.Context, b *bench) (*section, error) {
	j := job{connections: 5000, body: plainBody, interrupt: b.length, duration: b.length + 30*time.Second}
	if b.quick {
		j.connections = 64
	}
	s := &section{title: "Stop: from Ctrl+C to the end", intro: fmt.Sprintf(`A tool that keeps %s connections busy is sent SIGINT after %v. Until its process
has ended it may wait for the responses that are under way, which nginx, alone on
the other CPU, gives as fast as it can; it closes its connections and writes its
report. A tool that writes none has no figure.`, thousands(int64(j.connections)), j.interrupt)}
	if need := uint64(j.connections) + 100; need > b.files {
		s.note("Not measured: at most %d files may be open, and %d are needed", b.files, need)
		return s, nil
	}
	return s, b.costs(ctx, s, []work{{j.String(), j}}, stopTime)
}
