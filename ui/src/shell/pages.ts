/** The pages of the navigation, in its order. */
export const pages = [
  ["/", "Home"],
  ["/explorer", "Explorer"],
  ["/paths", "Attack paths"],
  ["/recommendations", "Recommendations"],
  ["/alerts", "Alerts"],
  ["/vulnerabilities", "Vulnerabilities"],
  ["/exceptions", "Exceptions"],
  ["/images", "Inventory"],
  ["/registries", "Registries"],
  ["/sensors", "Sensors"],
  ["/tokens", "Tokens"],
  ["/coverage", "Coverage"],
  ["/activity", "Activity"],
] as const;
