package query_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/query"
)

// TestRequestsReadAllTheirMembers holds the lists of members against the fields
// of the types, each as null, which counts as absent.
func TestRequestsReadAllTheirMembers(t *testing.T) {
	for _, into := range []any{
		&query.Request{}, &query.ClassifyRequest{}, &query.AnswerRequest{}, &query.Message{}, &query.Params{},
		&query.Decay{}, &query.Boost{}, &query.Range{}, &query.SortKey{}, &query.FacetRequest{}, &query.CountRequest{},
	} {
		var names func(reflect.Type) []string
		names = func(typ reflect.Type) (out []string) {
			for i := range typ.NumField() {
				f := typ.Field(i)
				tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				switch {
				case f.Anonymous && tag == "":
					out = append(out, names(f.Type)...)
				case f.IsExported() && tag != "-" && tag != "":
					out = append(out, tag)
				}
			}
			return out
		}
		typ := reflect.TypeOf(into).Elem()
		all := names(typ)
		if len(all) == 0 {
			t.Errorf("%s has no members", typ)
		}
		for _, name := range all {
			if err := json.Unmarshal(fmt.Appendf(nil, `{%q:null}`, name), into); err != nil && strings.Contains(err.Error(), "unknown") {
				t.Errorf("%s does not know its member %s: %v", typ, name, err)
			}
		}
		if err := json.Unmarshal([]byte(`{"no_such_member":1}`), into); err == nil {
			t.Errorf("%s takes an unknown member", typ)
		}
	}
}
