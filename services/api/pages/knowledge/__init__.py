"""The pages of Knowledge: questions and answers, documents, recommendations."""
