# The official Airflow image with the pipeline's own requirements. The code is mounted read-only by docker-compose.yml.
FROM apache/airflow:3.3.2-python3.11
COPY requirements.txt /requirements.txt
RUN pip install --no-cache-dir -r /requirements.txt
