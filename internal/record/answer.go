package record

import (
	"bytes"
	"fmt"
)

// An Answer is the first response of one status that was not expected. What the
// target sent is as it arrived, except that the secrets that were sent to it are
// masked.
type Answer struct {
	N        int64  `json:"n"`                  // of the request
	Location string `json:"location,omitempty"` // of a redirect: where it leads
	Others   bool   `json:"others,omitempty"`   // of a redirect: later ones of this status lead elsewhere
	Slashed  string `json:"slashed,omitempty"`  // of a redirect: the path that was asked for, if it leads to the same with a slash added
	Body     []byte `json:"body,omitempty"`     // its first 200 octets
}

// Redirect describes in a few words where a redirect leads; "" if it is none.
func (a *Answer) Redirect(status int) string {
	switch {
	case a.Location == "":
		return ""
	case a.Others:
		return fmt.Sprintf("%d to %s and others", status, a.Location)
	case a.Slashed != "":
		return fmt.Sprintf("%s redirects to %s/: did you mean that?", a.Slashed, a.Slashed)
	}
	return fmt.Sprintf("%d to %s", status, a.Location)
}

// Text returns the beginning of the body in one line, each run of white space as one
// space, or that it is no text, as with gzip.
func (a *Answer) Text() string {
	if bytes.IndexByte(a.Body, 0) >= 0 {
		return "(not text)"
	}
	return string(bytes.Join(bytes.Fields(a.Body), []byte(" ")))
}

// AddAnswer adds a response of a status that was not expected. Of two it keeps that
// of the request with the lower number.
func (r *Record) AddAnswer(status int, a Answer) {
	known, ok := r.Answers[status]
	others := ok && (a.Others || known.Others || a.Location != known.Location)
	if !ok || a.N < known.N {
		known = a
	}
	known.Others = others || known.Others
	r.Answers[status] = known
}
