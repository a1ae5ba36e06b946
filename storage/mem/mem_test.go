package mem_test

import (
	"testing"

	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/mem"
	"github.com/vecdb/vecdb/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, storagetest.Suite{New: func(*testing.T) storage.Engine { return mem.New() }})
}
