package cli

import (
	"errors"

	"github.com/loadtestkit/load-tester/internal/record"
)

// advice is why a run could not be made, and what to do about it, in one line.
func advice(err error) string {
	text := oneLine(err)
	var e *record.Error
	if !errors.As(err, &e) {
		return text
	}
	switch e.Kind {
	case record.Resolve:
		return text + "; check the name in the URL"
	case record.ConnectRefused:
		return text + "; is the server running, and is this its port?"
	case record.ConnectTimeout, record.Timeout:
		return text + "; does a server answer there?"
	case record.Connect:
		return text + "; can this machine reach the server?"
	case record.NoFDs:
		return text + "; raise the limit with ulimit -n"
	case record.TLS:
		return text + "; --insecure skips verification, http:// skips TLS"
	}
	return text
}
