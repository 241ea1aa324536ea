//go:build !linux

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// processUsage returns what asks the operating system for the process' CPU
// seconds and resident bytes; NaN where it does not say.
func processUsage() func() (cpu, rss float64) {
	own := prometheus.NewRegistry() // so that a tick gathers nothing else
	own.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return func() (cpu, rss float64) {
		cpu, rss = gap, gap
		families, err := own.Gather()
		if err != nil {
			return gap, gap
		}
		for _, f := range families {
			switch f.GetName() {
			case "process_cpu_seconds_total":
				cpu = f.GetMetric()[0].GetCounter().GetValue()
			case "process_resident_memory_bytes":
				rss = f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		return cpu, rss
	}
}
