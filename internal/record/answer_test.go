package record

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of the answers of one status the first is kept, whatever is merged first, and it
// is read back as it arrived.
func TestFirstAnswers(t *testing.T) {
	part := func(n int64, body string) *Record {
		r := New(false, nil)
		r.Add(&Sample{N: n, Result: Result{Status: 404, Unexpected: true}})
		r.AddAnswer(404, Answer{N: n, Body: []byte(body)})
		return r
	}
	a, b := part(7, "later"), part(3, "first\x1b\xff")
	b.AddAnswer(302, Answer{N: 4, Location: "/items/", Slashed: "/items"})
	for _, order := range [][]*Record{{a, b}, {b, a}} {
		all := New(false, nil)
		for _, r := range order {
			all.Merge(r)
		}
		require.NoError(t, all.Check())
		assert.Equal(t, map[int]int64{404: 2}, all.Rejected)
		assert.Equal(t, b.Answers, all.Answers)
		text, err := json.Marshal(all)
		require.NoError(t, err)
		var read Record
		require.NoError(t, json.Unmarshal(text, &read))
		assert.Equal(t, b.Answers, read.Answers)
	}
	b.Rejected[404]++
	assert.ErrorContains(t, b.Check(), "responses whose status was not expected is 2, want 1")
}

func TestRedirectInWords(t *testing.T) {
	check := func(a Answer, want string) {
		t.Helper()
		assert.Equal(t, want, a.Redirect(301))
	}
	check(Answer{Body: []byte("gone")}, "")
	check(Answer{Location: "https://h/x"}, "301 to https://h/x")
	check(Answer{Location: "http://h/items/", Slashed: "/items"}, "/items redirects to /items/: did you mean that?")
	check(Answer{Location: "http://h/items/", Slashed: "/items", Others: true}, "301 to http://h/items/ and others")
}

func TestRedirectsElsewhere(t *testing.T) {
	merge := func(locations ...string) string {
		r := New(false, nil)
		for i, to := range locations {
			r.AddAnswer(302, Answer{N: int64(9 - i), Location: to})
		}
		a := r.Answers[302]
		return a.Redirect(302)
	}
	assert.Equal(t, "302 to /a", merge("/a", "/a"))
	assert.Equal(t, "302 to /b and others", merge("/a", "/b"))
	assert.Equal(t, "302 to /a and others", merge("/a", "/b", "/a"))
}

func TestTextOfAnAnswer(t *testing.T) {
	a := Answer{Body: []byte("<html>\r\n <h1>503\tbusy</h1>\n\n</html>\n")}
	assert.Equal(t, "<html> <h1>503 busy</h1> </html>", a.Text())
	a.Body = []byte("\x1f\x8b\b\x00\xf2")
	assert.Equal(t, "(not text)", a.Text())
}
