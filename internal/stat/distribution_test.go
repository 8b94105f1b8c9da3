package stat

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The reference values are those of R's qbeta, qt, qnorm and pnorm.
func TestDistributions(t *testing.T) {
	check := func(got, want float64) {
		t.Helper()
		assert.InDelta(t, want, got, 1e-9)
	}
	check(betaQuantile(0.99, 1, 459), .00998288736612811)
	check(betaQuantile(0.95, 1, 299), .009969146792899907)
	check(betaQuantile(0.025, 5, 96), .01643187918205203)
	check(betaQuantile(0.975, 6, 95), .11283491110546373)
	check(betaQuantile(0.99, 3.7+1, 412.5-3.7), .02677164187841359)
	check(betaQuantile(0.01, 12.4, 800.2-12.4+1), .007142450579762684)
	check(StudentQuantile(0.99, 15), 2.6024802950)
	check(StudentQuantile(0.95, 15), 1.7530503557)
	check(StudentQuantile(0.05, 15), -1.7530503557)
	check(StudentQuantile(0.5, 15), 0)
	check(normalQuantile(0.975), 1.959963984540054)
	check(normalTail(1.959963984540054), 0.025)
}
