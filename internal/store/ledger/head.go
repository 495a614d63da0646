package ledger

import (
	"encoding/binary"

	"penstock/internal/store"
)

// A head says which commits the file must have, so that a missing one shows at
// either end. It is zero when there are none. Its record is
//
//	first uint64 | last uint64 | anchor [32]byte | hash [32]byte
type head struct {
	first, last uint64   // revisions of the kept commits
	anchor      [32]byte // PrevHash of the first
	hash        [32]byte // Hash of the last
}

const headSize = 8 + 8 + 32 + 32

func newHead(links []store.Link) head {
	if len(links) == 0 {
		return head{}
	}
	first, last := links[0], links[len(links)-1]
	return head{first.Rev, last.Rev, first.PrevHash, last.Hash}
}

func (h head) record() []byte {
	b := make([]byte, 0, headSize)
	b = binary.BigEndian.AppendUint64(b, h.first)
	b = binary.BigEndian.AppendUint64(b, h.last)
	b = append(b, h.anchor[:]...)
	return append(b, h.hash[:]...)
}

func parseHead(b []byte) (head, error) {
	if len(b) != headSize {
		return head{}, store.Damage("its head is malformed")
	}
	h := head{first: binary.BigEndian.Uint64(b), last: binary.BigEndian.Uint64(b[8:])}
	copy(h.anchor[:], b[16:])
	copy(h.hash[:], b[48:])
	return h, nil
}
