package http1

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStatuses(t *testing.T) {
	check := func(text, want string, in, out []int) {
		t.Helper()
		set, err := ParseStatuses(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, set.String())
		again, err := ParseStatuses(set.String())
		require.NoError(t, err, text)
		assert.Equal(t, set, again, "what String returns is the same set")
		for _, status := range in {
			assert.True(t, set.Contains(status), "%s: %d", text, status)
		}
		for _, status := range out {
			assert.False(t, set.Contains(status), "%s: %d", text, status)
		}
	}
	check("200", "200", []int{200}, []int{0, 199, 201, 999})
	check("404,200, 201", "200-201,404", []int{200, 201, 404}, []int{202, 403})
	check("2xx,3XX", "200-399", []int{200, 299, 300, 399}, []int{199, 400})
	check("200-204", "200-204", []int{200, 204}, []int{199, 205})
	check("100-599", "100-599", []int{100, 599}, []int{0, 99, 600})
	check("599,500 - 502", "500-502,599", []int{501, 599}, []int{503, 598})
}

func TestParseStatusesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":        `"": want a status such as 200`,
		"200,":    `"": want a status such as 200`,
		"ok":      `"ok": want a status such as 200`,
		"20":      `"20": want a status such as 200`,
		"+20":     `"+20": want a status such as 200`,
		"0200":    `"0200": want a status such as 200`,
		"2x":      `"2x": want a status such as 200`,
		"xxx":     `"xxx": want a status such as 200`,
		"2xx-3xx": `"2xx-3xx": want a status such as 200`,
		"600":     `"600": want a status from 100 to 599`,
		"6xx":     `"6xx": want a status from 100 to 599`,
		"099":     `"099": want a status from 100 to 599`,
		"204-200": `"204-200": ends before it begins, want 200-204`,
		"200-":    `"200-": want a status such as 200`,
	} {
		_, err := ParseStatuses(text)
		assert.ErrorContains(t, err, want)
	}
}

func TestExpectedStatuses(t *testing.T) {
	check := func(want string, fields ...Field) {
		t.Helper()
		r := mustRequest(t, "http://h/", func(s *Spec) { s.Header = fields })
		assert.Equal(t, want, r.expect.Statuses.String())
	}
	check("200-299")
	check("200-299", Field{"Accept", "text/html"})
	check("200-299,304", Field{"if-none-match", `"a"`})
	check("200-299,304", Field{"If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"})
	check("200-299,304", Field{"If-Range", `"a"`}, Field{"Range", "bytes=0-1"})
	set, err := ParseStatuses("404")
	require.NoError(t, err)
	r := mustRequest(t, "http://h/", func(s *Spec) {
		s.Expect.Statuses, s.Header = set, []Field{{"If-None-Match", `"a"`}}
	})
	assert.Equal(t, set, r.expect.Statuses, "what the user gives is the whole set")
}
