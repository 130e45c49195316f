"""Whether exchange is fair and how it fails: what each member brings, who pays whom, what a failure costs."""
