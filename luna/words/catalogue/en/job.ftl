### The words beside a job, besides those of every page.

title = Job
