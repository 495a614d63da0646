package store

import "fmt"

// check returns what is wrong with b, nil if it can become a commit.
func (b *Batch) check() error {
	if len(b.Changes) == 0 {
		return fmt.Errorf("store: the batch has no changes")
	}
	if len(b.Changes) > MaxChanges {
		return fmt.Errorf("store: the batch has %d changes, the limit is %d", len(b.Changes), MaxChanges)
	}
	if len(b.Actor) > MaxActor {
		return fmt.Errorf("store: the actor has %d bytes, the limit is %d", len(b.Actor), MaxActor)
	}
	size := len(b.Actor)
	seen := make(map[string]bool, len(b.Changes))
	for _, c := range b.Changes {
		switch {
		case c.Key == "":
			return fmt.Errorf("store: a change has no key")
		case len(c.Key) > MaxKey:
			return fmt.Errorf("store: key %.80q… has %d bytes, the limit is %d", c.Key, len(c.Key), MaxKey)
		case seen[c.Key]:
			return fmt.Errorf("store: the batch changes %q twice", c.Key)
		case c.Delete && len(c.Data) > 0:
			return fmt.Errorf("store: the batch deletes %q and has data for it", c.Key)
		case len(c.Data) > MaxData:
			return fmt.Errorf("store: document %q has %d bytes, the limit is %d", c.Key, len(c.Data), MaxData)
		}
		seen[c.Key] = true
		size += len(c.Key) + len(c.Data)
	}
	if size > MaxCommit {
		return fmt.Errorf("store: the batch has %d bytes, the limit is %d", size, MaxCommit)
	}
	return nil
}
