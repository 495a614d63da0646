package store

import (
	"encoding/binary"
	"math/bits"
)

// A Digest is the sum, modulo 2^256, of the hashes of a set of entries. It does not
// depend on their order, and changing one document costs one addition and one
// subtraction, however many there are. It finds damage; like every hash that is
// kept beside what it covers, it does not stop a forger who may write the file.
type Digest [32]byte

func (d *Digest) add(hash [32]byte) {
	var carry uint64
	for i := 0; i < len(d); i += 8 {
		var sum uint64
		sum, carry = bits.Add64(binary.LittleEndian.Uint64(d[i:]), binary.LittleEndian.Uint64(hash[i:]), carry)
		binary.LittleEndian.PutUint64(d[i:], sum)
	}
}

func (d *Digest) subtract(hash [32]byte) {
	var borrow uint64
	for i := 0; i < len(d); i += 8 {
		var diff uint64
		diff, borrow = bits.Sub64(binary.LittleEndian.Uint64(d[i:]), binary.LittleEndian.Uint64(hash[i:]), borrow)
		binary.LittleEndian.PutUint64(d[i:], diff)
	}
}
