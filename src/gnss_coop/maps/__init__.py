"""Maps of DOP, availability and gain: the job, its tiles, the files and pictures."""
