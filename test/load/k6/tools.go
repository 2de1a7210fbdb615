//go:build tools

// Package tools pins the k6 that test/load runs, with the hashes of all that it is made of.
package tools

import _ "go.k6.io/k6/v2"
