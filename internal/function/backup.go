package function

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"penstock/internal/store"
)

// In a backup, zips are documents: codePrefix, the sum, a dot and the number of the
// piece, which has as many digits as makes keys sort.
const (
	codePrefix = "functioncode."
	pieceBytes = 16 << 20
	pieceForm  = "%s%s.%03d"
	maxPieces  = maxZip/pieceBytes + 1

	codeActor = "functions" // who puts and takes them, in commits
)

// WithCode returns a store, in memory and at one revision, that has the documents of s
// and as documents the zips that these refer to, which are files in dir: what to write
// as a backup. The pieces are commits that follow the last one of s, so that a store
// that is made of the backup continues s. Open turns them into files again. If there
// are no zips, it returns s itself.
func WithCode(s store.Store, dir string) (store.Store, error) {
	for attempt := 0; ; attempt++ {
		with, err := withCode(s, dir, pieceBytes)
		if !errors.Is(err, fs.ErrNotExist) || attempt == 5 {
			return with, err
		} // else a function was deleted since its document was read
	}
}

func withCode(s store.Store, dir string, length int) (store.Store, error) {
	if sums, err := codeSums(s.List(documentPrefix)); err != nil || len(sums) == 0 {
		return s, err
	}
	var text bytes.Buffer
	if err := store.WriteBackup(&text, s); err != nil {
		return nil, err
	}
	backup, err := store.ReadBackup(&text)
	if err != nil {
		return nil, err
	}
	text = bytes.Buffer{}
	state, err := store.NewState(backup.Entries(), backup.Links())
	if err != nil {
		return nil, err
	}
	with := store.NewBase(state, backup.Links(), memory{}, store.Keep{Commits: 1})
	sums, err := codeSums(with.List(documentPrefix))
	if err != nil {
		return nil, err
	}
	for _, sum := range sums {
		zip, err := os.ReadFile(filepath.Join(dir, sum+".zip"))
		if err != nil {
			return nil, fmt.Errorf("the code of a function: %w", err)
		}
		if digest := sha256.Sum256(zip); hex.EncodeToString(digest[:]) != sum {
			return nil, store.Damage("the file %s.zip in %s does not match its name", sum, dir)
		}
		i := 0
		for piece := range slices.Chunk(zip, length) {
			change := store.Change{Key: fmt.Sprintf(pieceForm, codePrefix, sum, i), Data: piece}
			if _, err := with.Append(context.Background(), store.Batch{Actor: codeActor, Changes: []store.Change{change}}); err != nil {
				return nil, err
			}
			i++
		}
	}
	return with, nil
}

// codeSums returns the sums of all code that documents refer to, sorted.
func codeSums(documents []store.Document) ([]string, error) {
	sums := map[string]bool{}
	for _, stored := range documents {
		d, err := parseDocument(stored)
		if err != nil {
			return nil, err
		}
		if d.Latest != nil && isSum(d.Latest.Code) {
			sums[d.Latest.Code] = true
		}
		for _, v := range d.Versions {
			if isSum(v.Code) {
				sums[v.Code] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(sums)), nil
}

// memory is the engine of a store that need not last.
type memory struct{}

func (memory) Write(store.Group) error { return nil }
func (memory) Close() error            { return nil }

// takeCode makes files of the zips that a backup has put into the store, and deletes
// them there.
func (s *Service) takeCode() error {
	pieces := s.Store.List(codePrefix)
	if len(pieces) == 0 {
		return nil
	}
	zips := map[string][][]byte{}
	batch := store.Batch{Actor: codeActor}
	for _, p := range pieces {
		sum, number, _ := strings.Cut(strings.TrimPrefix(p.Key, codePrefix), ".")
		if n, err := strconv.Atoi(number); err != nil || n != len(zips[sum]) || n >= maxPieces {
			return fmt.Errorf("document %s: it is not a piece of the code of a function", p.Key)
		}
		zips[sum] = append(zips[sum], p.Data)
		batch.Changes = append(batch.Changes, store.Change{Key: p.Key, Delete: true})
	}
	for sum, parts := range zips {
		zip := bytes.Join(parts, nil)
		if digest := sha256.Sum256(zip); hex.EncodeToString(digest[:]) != sum {
			return fmt.Errorf("documents %s%s.*: the code of a function is not what its name says", codePrefix, sum)
		}
		if err := s.codes.write(sum, zip); err != nil {
			return fmt.Errorf("keep the code of a function: %w", err)
		}
	}
	_, err := s.Store.Append(context.Background(), batch)
	return err
}
