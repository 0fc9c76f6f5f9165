/** What of the training images' statistics there is to be: the covariances are the larger part. */
export const STATISTICS_CHOICES = ["all", "importances", "none"] as const;
/** One of {@link STATISTICS_CHOICES}. */
export type StatisticsChoice = typeof STATISTICS_CHOICES[number];
