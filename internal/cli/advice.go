package cli

import (
	"errors"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// advice is why a run could not be made, and what to do about it, in one line.
func advice(err error) string {
	text := oneLine(err)
	var e *http1.Error
	if !errors.As(err, &e) {
		return text
	}
	switch e.Kind {
	case http1.Resolve:
		return text + "; check the name in the URL"
	case http1.ConnectRefused:
		return text + "; is the server running, and is this its port?"
	case http1.ConnectTimeout, http1.Timeout:
		return text + "; does a server answer there?"
	case http1.Connect:
		return text + "; can this machine reach the server?"
	case http1.NoFDs:
		return text + "; raise the limit with ulimit -n"
	case http1.TLS:
		return text + "; --insecure skips verification, http:// skips TLS"
	}
	return text
}
