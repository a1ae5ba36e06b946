package storage

import "slices"

// unseen tells that a key of a record beside the documents, an event or feedback,
// is neither among those seen in the same call, to which it is added, nor stored.
func unseen(r Reader, seen map[string]struct{}, key []byte) (bool, error) {
	if _, twice := seen[string(key)]; twice {
		return false, nil
	}
	if _, err := r.Get(key); err == nil || !isNotFound(err) {
		return false, err
	}
	seen[string(key)] = struct{}{}
	return true, nil
}

// deleteAll deletes the keys that each tells. More than a batch takes are deleted
// in several, which a crash may come between; the call's end tells that all are
// gone. deleted is called with how many a batch gets, 0 for none at all.
func (g *group) deleteAll(each func(fn func(key []byte) error) error, deleted func(n int)) error {
	for {
		var keys [][]byte
		err := each(func(key []byte) error {
			keys = append(keys, slices.Clone(key))
			if len(keys) == dropBatch {
				return ErrStopScan
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, key := range keys {
			g.batch.Delete(key)
		}
		deleted(len(keys))
		if len(keys) < dropBatch {
			return nil
		}
		if g.land(); g.failed != nil {
			return g.failed
		}
	}
}
