package lint

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module.
const module = "github.com/vecdb/vecdb"

// layers tells, for each folder, which other folders of the module it may
// import. A folder that is not named here has no place in the picture yet and
// fails the test. A trailing "/..." stands for all folders below.
var layers = map[string][]string{
	"internal/core":       {},
	"internal/simd":       {},
	"internal/lint":       {},
	"internal/language":   {},
	"internal/records":    {"internal/core", "internal/language"},
	"internal/memory":     {},
	"internal/framed":     {},
	"internal/sentence":   {},
	"index":               {"internal/core"},
	"index/flat":          {"index", "internal/core", "internal/simd"},
	"index/coder":         {"index", "internal/core", "internal/simd"},
	"index/tune":          {"index", "internal/core"},
	"index/hnsw":          {"index", "index/flat", "index/snapshot", "index/tune", "internal/core", "internal/simd"},
	"index/lexical":       {"index", "index/snapshot", "internal/core"},
	"index/snapshot":      {},
	"index/passage":       {"index", "internal/core"},
	"index/field":         {"index/snapshot", "internal/core"},
	"index/indextest":     {"index", "internal/core"},
	"storage":             {"internal/core"},
	"storage/badger":      {"storage", "internal/core"},
	"storage/mem":         {"storage", "internal/core"},
	"storage/faulty":      {"storage", "internal/core"},
	"storage/storagetest": {"storage", "internal/core"},
	"embedder":            {"internal/core", "internal/sentence"},
	"embedder/token":      {"embedder", "internal/core"},
	"embedder/ort":        {"embedder", "internal/core"},
	"embedder/hash":       {"embedder", "internal/core"},
	"embedder/folder":     {"embedder", "internal/core"},
	"embedder/hub":        {"embedder", "embedder/bundle", "internal/core"},
	"embedder/embedtest":  {"embedder", "internal/core"},
	"train":               {"internal/core", "internal/framed", "internal/simd"},
	"recommender":         {"internal/core", "internal/framed", "internal/simd"},
	"answers":             {"train", "internal/core", "internal/simd"},
	"chat":                {"query", "internal/core"},
	"query":               {"index", "train", "recommender", "answers", "internal/core", "internal/sentence"},
	"":                    {"internal/core", "internal/language", "internal/framed", "internal/simd", "internal/simd/matrix", "internal/memory", "index/...", "storage/...", "embedder/...", "train", "recommender", "answers", "query"},
	"client":              {"internal/core", "query", "train", "recommender", "answers"},
	"server":              {"", "client", "query", "train", "embedder", "internal/core", "internal/simd"},
	"bench/vectors":       {"internal/core"},
	"bench":               {"", "bench/vectors", "train", "index/...", "query", "embedder", "embedder/hash", "internal/core", "internal/simd", "internal/simd/matrix"},
	"cmd/vecdb":           {"...", ""},
	"bench/peers/vectors": {"", "bench/vectors", "embedder"},
	"bench/embed/parity":  {"embedder/token"},

	"internal/simd/matrix": {"internal/simd"},
	"embedder/native":      {"embedder", "internal/core", "internal/simd/matrix"},
	"embedder/bundle":      {},
}

// testOnly holds what test files may import beyond their folder's layers:
// suites, fakes and, for tests from outside, the parts they wire together.
var testOnly = []string{
	"index/flat", "index/indextest", "storage/mem", "storage/faulty", "storage/storagetest", "storage/badger",
	"", "server", "embedder/hash", "embedder/embedtest", "embedder/token", "embedder/ort", "embedder/hub", "embedder", "internal/core", "internal/simd",
}

// homes names the one folder that may import an outside module (or any module
// below the given prefix), together with the folders below it.
var homes = map[string]string{
	"github.com/dgraph-io/badger":                "storage/badger",
	"github.com/coder/hnsw":                      "index/coder",
	"github.com/yalue/onnxruntime_go":            "embedder/ort",
	"google.golang.org/protobuf":                 "embedder/native",
	"github.com/sugarme/tokenizer":               "embedder/token",
	"github.com/RoaringBitmap/roaring":           "internal/core",
	"github.com/clipperhouse/uax29/v2/words":     "index/lexical",
	"github.com/clipperhouse/uax29/v2/sentences": "internal/sentence",
	"github.com/clipperhouse/uax29/v2/graphemes": "embedder",
	"github.com/kljensen/snowball":               "index/lexical",
	"github.com/gin-gonic/gin":                   "server",
	"github.com/prometheus/client_golang":        "server",
	"github.com/invopop/jsonschema":              "server",
	"github.com/pb33f/libopenapi":                "server",
	"github.com/pb33f/libopenapi-validator":      "server",
	"github.com/spf13/cobra":                     "cmd/vecdb",
	"github.com/vbauerster/mpb":                  "cmd/vecdb",
	"github.com/jedib0t/go-pretty":               "cmd/vecdb",
	"gonum.org/v1/plot":                          "bench",
	"github.com/klauspost/cpuid":                 "internal/simd",
}

func TestImportsGoOneWay(t *testing.T) {
	for _, f := range goFiles(t) {
		allowed, known := layers[f.dir]
		if !known {
			t.Errorf("%s: folder %q has no place in the layers; add it to internal/lint and to docs/architecture.md", f.path, f.dir)
			continue
		}
		for _, imp := range f.imports {
			dir, ours := ourFolder(imp)
			if !ours || dir == f.dir || permits(allowed, dir) {
				continue
			}
			if f.test && slices.Contains(testOnly, dir) {
				continue
			}
			t.Errorf("%s imports %s, which its layer does not permit", f.path, imp)
		}
	}
}

func TestOutsideModulesHaveOneHome(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, imp := range f.imports {
			for prefix, home := range homes {
				if (imp == prefix || strings.HasPrefix(imp, prefix+"/")) && f.dir != home && !strings.HasPrefix(f.dir, home+"/") {
					t.Errorf("%s imports %s, whose only home is %s", f.path, imp, home)
				}
			}
		}
	}
}

// ourFolder returns the folder of an import path of this module.
func ourFolder(imp string) (string, bool) {
	if imp == module {
		return "", true
	}
	return strings.CutPrefix(imp, module+"/")
}

func permits(allowed []string, dir string) bool {
	for _, a := range allowed {
		if a == dir || a == "..." {
			return true
		}
		if base, all := strings.CutSuffix(a, "/..."); all && (dir == base || path.Dir(dir) == base) {
			return true
		}
	}
	return false
}
