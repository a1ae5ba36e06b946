// Package recommender learns from what users do with items which items go
// together, and scores items for a history by that.
//
// Behavior keeps the histories of users in memory, in step with the stored
// events. Train makes a Model of them: for each item the others that speak for
// or against it. A Model does not change; it is trained anew, in the background,
// when enough has happened. New events count at once all the same, since scores
// are sums over the history of a user.
package recommender
