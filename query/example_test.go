package query_test

import (
	"encoding/json"
	"fmt"

	"github.com/vecdb/vecdb/query"
)

func ExampleFilter() {
	nineties := query.Filter{And: []*query.Filter{
		{Field: "year", Gte: 1990, Lt: 2000},
		{Not: &query.Filter{Field: "genre", In: []any{"war", "crime"}}},
	}}
	text, err := json.Marshal(nineties)
	fmt.Println(string(text), err)
	// Output: {"and":[{"field":"year","gte":1990,"lt":2000},{"not":{"field":"genre","in":["war","crime"]}}]} <nil>
}

func ExampleFilter_UnmarshalJSON() {
	var f query.Filter
	err := json.Unmarshal([]byte(`{"or": [{"field": "label", "eq": "drama"}, {"field": "year", "eq": null}]}`), &f)
	fmt.Println(err)
	// Output: /or/1/eq: cannot compare with null (use "exists": false to find documents without the field)
}
