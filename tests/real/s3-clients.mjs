// What npm's clients of S3 do as they come, without settings of their own: @aws-sdk/client-s3 sums every body and sends
// streams in chunks; minio signs in its own way.
import { createReadStream, readFileSync, readdirSync, statSync } from 'node:fs';
import { Buffer } from 'node:buffer';
import {
  S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand, ListObjectsV2Command, DeleteObjectsCommand,
  DeleteBucketCommand, CreateMultipartUploadCommand, UploadPartCommand, CompleteMultipartUploadCommand,
} from '@aws-sdk/client-s3';
import * as Minio from 'minio';

const { S3_URL: endpoint, S3_ACCESS: accessKeyId, S3_SECRET: secretAccessKey, IN: folder } = process.env;
const files = readdirSync(folder);
const keys = ['a b', 'a+b', 'a%b', 'ä€', 'a//b', '/a', 'k'.repeat(1024)];

function same(a, b, what) {
  if (Buffer.compare(a, b) !== 0) throw new Error(`${what} came back otherwise`);
}

async function sdk() {
  const s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  const Bucket = 'sdk';
  const get = async Key => Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToByteArray());
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const name of files) {
    const path = `${folder}/${name}`;
    await s3.send(new PutObjectCommand({ Bucket, Key: name, Body: readFileSync(path) }));
    same(await get(name), readFileSync(path), name);
    await s3.send(new PutObjectCommand({ Bucket, Key: name, Body: createReadStream(path), ContentLength: statSync(path).size }));
    same(await get(name), readFileSync(path), `${name} as a stream`);
  }
  for (const Key of keys) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key, Metadata: { who: 'me' } }));
    same(await get(Key), Buffer.from(Key), Key);
  }
  const part = readFileSync(`${folder}/5242881`);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber, Body: part }));
    Parts.push({ PartNumber, ETag, ChecksumCRC32 });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'parts', UploadId, MultipartUpload: { Parts } }));
  same(await get('parts'), Buffer.concat([part, part]), 'parts');
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
  if (Contents.length !== files.length + keys.length + 1) throw new Error(`the SDK lists ${Contents.length} objects`);
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

async function minio() {
  const { hostname, port } = new URL(endpoint);
  const client = new Minio.Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey: accessKeyId, secretKey: secretAccessKey });
  await client.makeBucket('minio');
  for (const name of files) {
    await client.fPutObject('minio', name, `${folder}/${name}`);
    const chunks = [];
    for await (const chunk of await client.getObject('minio', name)) chunks.push(chunk);
    same(Buffer.concat(chunks), readFileSync(`${folder}/${name}`), name);
  }
  await client.removeObjects('minio', files);
  await client.removeBucket('minio');
}

await sdk();
await minio();
console.log(`${files.length} objects and ${keys.length} odd keys came back as they went, from both`);
