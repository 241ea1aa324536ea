package adminapi

import (
	"strings"

	"haoke/backend/internal/wire"
)

// unitOf is the unit of a documented series, also of one key's; "" when there
// is no such series.
func unitOf(name string) string {
	base, key, ofKey := strings.Cut(name, ":")
	if ofKey && (key == "" || base != wire.SeriesUpstream429 && base != wire.SeriesAdmitRate) {
		return ""
	}
	switch base {
	case wire.SeriesConnections, wire.SeriesQueueVIP, wire.SeriesQueueOrdinary, wire.SeriesQueueBackground, wire.SeriesUpstreamInflight,
		wire.SeriesColdPending, wire.SeriesSessionsHot:
		return "count"
	case wire.SeriesMessagesIn, wire.SeriesMessagesOut:
		return "per_second"
	case wire.SeriesFirstP50, wire.SeriesFirstP95, wire.SeriesFirstP99, wire.SeriesReplyP50, wire.SeriesReplyP95, wire.SeriesReplyP99,
		wire.SeriesFilterWordsP95, wire.SeriesFilterPatternP95, wire.SeriesFilterReviewP95:
		return "seconds"
	case wire.SeriesUpstreamOK, wire.SeriesUpstream429, wire.SeriesUpstream4xx, wire.SeriesUpstream5xx, wire.SeriesAdmitRate, wire.SeriesMerged,
		wire.SeriesCacheHits, wire.SeriesTokensPrompt, wire.SeriesTokensCompletion, wire.SeriesHitsWords, wire.SeriesHitsPatterns, wire.SeriesHitsReview:
		return "per_minute"
	case wire.SeriesSaved, wire.SeriesSpend, wire.SeriesSpendToday:
		return "money"
	case wire.SeriesMemory, wire.SeriesSQLite:
		return "bytes"
	case wire.SeriesCPU:
		return "percent"
	case wire.SeriesColdRatio:
		return "ratio"
	}
	return ""
}
