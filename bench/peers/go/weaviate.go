package main

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"github.com/sirupsen/logrus"
	"github.com/weaviate/weaviate/adapters/repos/db/helpers"
	"github.com/weaviate/weaviate/adapters/repos/db/lsmkv"
	"github.com/weaviate/weaviate/adapters/repos/db/vector/common"
	"github.com/weaviate/weaviate/adapters/repos/db/vector/hnsw"
	"github.com/weaviate/weaviate/adapters/repos/db/vector/hnsw/distancer"
	"github.com/weaviate/weaviate/entities/cyclemanager"
	entity "github.com/weaviate/weaviate/entities/vectorindex/hnsw"
	"github.com/weaviate/weaviate/usecases/memwatch"
)

// weaviate is Weaviate's HNSW over float32, without its log on disk.
type weaviate struct {
	*hnsw.HNSW
	config entity.UserConfig
}

func newWeaviate(base [][]float32) (*weaviate, error) {
	folder, err := os.MkdirTemp("", "weaviate-bench-")
	if err != nil {
		return nil, err
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	store, err := lsmkv.New(folder, folder, log, nil,
		cyclemanager.NewCallbackGroupNoop(), cyclemanager.NewCallbackGroupNoop(), cyclemanager.NewCallbackGroupNoop())
	if err != nil {
		return nil, err
	}
	config := entity.NewDefaultUserConfig()
	config.MaxConnections, config.EFConstruction, config.EF = 16, 200, 100
	config.FilterStrategy = entity.FilterStrategyAcorn
	config.VectorCacheMaxObjects = 1 << 40
	vector := func(_ context.Context, id uint64) ([]float32, error) { return base[id], nil }
	x, err := hnsw.New(hnsw.Config{
		RootPath:              folder,
		ID:                    "bench",
		MakeCommitLoggerThunk: hnsw.MakeNoopCommitLogger,
		DistanceProvider:      distancer.NewDotProductProvider(),
		VectorForIDThunk:      vector,
		TempVectorForIDThunk: func(_ context.Context, id uint64, _ *common.VectorSlice) ([]float32, error) {
			return base[id], nil
		},
		Logger:                 log,
		AllocChecker:           memwatch.NewDummyMonitor(),
		MakeBucketOptions:      lsmkv.MakeNoopBucketOptions,
		VisitedListPoolMaxSize: 1 << 10,
		DisableSnapshots:       true,
	}, config, cyclemanager.NewCallbackGroupNoop(), store)
	if err != nil {
		return nil, err
	}
	return &weaviate{x, config}, nil
}

func (w *weaviate) about() (string, map[string]any, []setting) {
	var settings []setting
	for _, ef := range []int{10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280} {
		settings = append(settings, setting{ef})
	}
	return "weaviate " + versionOf("github.com/weaviate/weaviate"), map[string]any{"maxConnections": 16, "efConstruction": 200, "filter": "acorn"}, settings
}

func (w *weaviate) add(id int, vector []float32) error {
	return w.Add(context.Background(), uint64(id), vector)
}

func (w *weaviate) prepare(s setting) error {
	w.config.EF = s.Ef
	return w.UpdateUserConfig(w.config, func() {})
}

func (w *weaviate) search(query []float32, allowed *filter) ([]int64, error) {
	var list helpers.AllowList
	if allowed != nil {
		list = allowed.made.(helpers.AllowList)
	}
	found, _, err := w.SearchByVector(context.Background(), query, atK, list)
	ids := make([]int64, len(found))
	for i, id := range found {
		ids[i] = int64(id)
	}
	return ids, err
}

// restrict makes Weaviate's own set of a filter.
func (w *weaviate) restrict(f *filter) error {
	f.made = helpers.NewAllowList(f.list...)
	return nil
}

// versionOf returns the version of a module that the program was built with.
func versionOf(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return "unknown"
}
