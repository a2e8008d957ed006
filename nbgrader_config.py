"""nbgrader's settings: `make exercises` uses them, and so do nbgrader's own commands on a JupyterHub."""

c = get_config()  # noqa: F821  (nbgrader defines it when it reads this file)

c.CourseDirectory.course_id = "nnlib"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.db_url = "sqlite:///.grading/gradebook.db"
for step in ("submitted", "autograded", "feedback", "source_with_tests"):
    setattr(c.CourseDirectory, f"{step}_directory", f".grading/{step}")

CODE_STUB = "# Your answer: write it here, then take the next line away.\nraise NotImplementedError"
c.ClearSolutions.code_stub = {"python": CODE_STUB}
c.ClearSolutions.text_stub = "*Your answer: write it here.*"
