package record

import (
	"cmp"
	"slices"
)

// An Address is one of the target's.
type Address struct {
	Address     string `json:"address"`     // IP
	Connections int64  `json:"connections"` // that were opened to it
	Failed      int64  `json:"failed"`      // that could not be opened
}

// mergeAddresses adds up the connections to the same addresses.
func (r *Record) mergeAddresses(addresses []Address) {
	r.Addresses = slices.Clone(r.Addresses)
	for _, o := range addresses {
		at, found := slices.BinarySearchFunc(r.Addresses, o.Address, func(a Address, address string) int { return cmp.Compare(a.Address, address) })
		if !found {
			r.Addresses = slices.Insert(r.Addresses, at, Address{Address: o.Address})
		}
		r.Addresses[at].Connections += o.Connections
		r.Addresses[at].Failed += o.Failed
	}
}
