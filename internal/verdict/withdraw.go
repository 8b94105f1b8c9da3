package verdict

import "slices"

// Withdraw ends the examination of the claims with a name, since what was read for them
// is worth nothing, and returns them. The parts of the error that they had are lost,
// so that those of the others stay what they were.
func (i *Inquiry) Withdraw(name string) (claims []Claim) {
	for _, q := range i.named(name) {
		claims = append(claims, q.Claim)
	}
	i.questions = slices.DeleteFunc(i.questions, func(q *question) bool { return q.Name == name })
	return claims
}
