package vuln

import "time"

// ends are the days after which releases got no more security updates that everybody has, as their distributions announced
// them: Debian's with its long-term support, Ubuntu's without Pro, Red Hat's without extensions. A release that is not here is
// kept, or we do not know.
var ends = map[string]string{
	"Debian:7": "2018-05-31", "Debian:8": "2020-06-30", "Debian:9": "2022-06-30", "Debian:10": "2024-06-30", "Debian:11": "2026-08-31",
	"Debian:12":    "2028-06-30",
	"Ubuntu:12.04": "2017-04-28", "Ubuntu:14.04": "2019-04-25", "Ubuntu:16.04": "2021-04-30", "Ubuntu:18.04": "2023-05-31",
	"Ubuntu:20.04": "2025-05-31", "Ubuntu:22.10": "2023-07-20", "Ubuntu:23.04": "2024-01-25", "Ubuntu:23.10": "2024-07-11",
	"Ubuntu:24.10": "2025-07-10", "Ubuntu:25.04": "2026-01-15",
	"Alpine:3.3": "2017-11-01", "Alpine:3.4": "2018-05-01", "Alpine:3.5": "2018-11-01", "Alpine:3.6": "2019-05-01",
	"Alpine:3.7": "2019-11-01", "Alpine:3.8": "2020-05-01", "Alpine:3.9": "2020-11-01", "Alpine:3.10": "2021-05-01",
	"Alpine:3.11": "2021-11-01", "Alpine:3.12": "2022-05-01", "Alpine:3.13": "2022-11-01", "Alpine:3.14": "2023-05-01",
	"Alpine:3.15": "2023-11-01", "Alpine:3.16": "2024-05-23", "Alpine:3.17": "2024-11-22", "Alpine:3.18": "2025-05-09",
	"Alpine:3.19": "2025-11-01", "Alpine:3.20": "2026-04-01", "Alpine:3.21": "2026-11-01", "Alpine:3.22": "2027-05-01",
	"Red Hat:6": "2020-11-30", "Red Hat:7": "2024-06-30", "Red Hat:8": "2029-05-31", "Red Hat:9": "2032-05-31",
	"CentOS:6": "2020-11-30", "CentOS:7": "2024-06-30", "CentOS:8": "2021-12-31", "Oracle Linux:7": "2024-12-31",
	"Rocky Linux:8": "2029-05-31", "Rocky Linux:9": "2032-05-31", "AlmaLinux:8": "2029-03-01", "AlmaLinux:9": "2032-05-31",
	"Amazon Linux:1": "2023-12-31", "Amazon Linux:2": "2026-06-30",
}

// endedBefore says that the release's last day is over.
func (r release) endedBefore(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, ends[r.String()])
	return err == nil && now.After(day.AddDate(0, 0, 1))
}
