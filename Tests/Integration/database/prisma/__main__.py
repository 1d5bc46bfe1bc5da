"""LiteLLM asks the Prisma command for the difference between schema and database: there is none."""
