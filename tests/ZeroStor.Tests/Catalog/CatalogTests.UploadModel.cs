using System.Collections.Immutable;
using CsCheck;

namespace ZeroStor.Tests.Catalog;

// What a random sequence does with uploads, beside all else.
public abstract partial class CatalogTests
{
    private const int UploadsOfASequence = 3;
    private const int MaxPartOfASequence = 3;

    // Few uploads of few keys, so that what is done meets what was done.
    private static Gen<(string Key, int Upload)> GenUpload => Gen.Select(
        Gen.Int[0, 1].Select(i => SequenceKeys[i]), Gen.Int[0, UploadsOfASequence - 1]);

    private static Gen<Step> GenUploadStep => Gen.Frequency(
        (3, GenUpload.Select(StepOfBegin)),
        (6, Gen.Select(
            GenUpload, Gen.Int[1, MaxPartOfASequence], GenContent, GenContent.Array[0, 2], Gen.Int[0, 3], StepOfPart)),
        (4, Gen.Select(GenUpload, Gen.Int[1, MaxPartOfASequence].Array[1, 3], GenCondition, Gen.Bool, StepOfComplete)),
        (1, GenUpload.Select(StepOfEnd)),
        (1, Gen.UInt[0, 3].Select(StepOfEndIdle)),
        (2, Gen.Select(GenText, GenText, Gen.Int[1, 3], StepOfUploads)));

    private static Step StepOfBegin((string Key, int Upload) upload) => async run =>
    {
        UploadName name = run.Upload(upload);
        bool expected = run.Model.Begin(name.Key, name.Upload);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(
                expected,
                await run.Catalog.BeginUploadAsync(UploadOf(name, "text/plain"), run.Model.Tick, Cancel));
        }
    };

    private static Step StepOfPart(
        (string Key, int Upload) upload, int number, int content, int[] copied, int how) => async run =>
    {
        // 0: names no content of its own; 3: with an ETag of its own, and a page.
        IEnumerable<int> named = how == 0 ? copied : copied.Append(content);
        var order = new PartOrder
        {
            Upload = run.Upload(upload),
            Number = number,
            Content = run.Content(content),
            Manifest = ManifestOf([.. named.Select(run.Content)]).Encode(),
            ETag = how == 3 ? "e1" : null,
            Now = run.Model.Tick,
            Modified = DateTimeOffset.UnixEpoch,
            Pages = [],
        };
        CommitAnswer expected = run.Model.PutPart(order);
        CommitAnswer answer = await run.Catalog.PutPartAsync(order, Cancel);
        Assert.Equal(expected, answer with { Detail = "" });
        Assert.Equal(answer, await run.Catalog.PutPartAsync(order, Cancel));
    };

    private static Step StepOfComplete(
        (string Key, int Upload) upload, int[] numbers, Precondition condition, bool hasETag) => async run =>
    {
        UploadName name = run.Upload(upload);
        var order = new CompleteOrder
        {
            Upload = name,
            Parts =
            [
                .. numbers.Distinct().Order().Select(
                    n => new PartName(n, run.Model.ETagOf(name.Upload, n) ?? "none")),
            ],
            ETag = hasETag ? "e1" : null,
            If = condition,
            Now = run.Model.Tick,
            Modified = DateTimeOffset.UnixEpoch,
        };
        await run.CompleteAsync(order);
    };

    private static Step StepOfEnd((string Key, int Upload) upload) => async run =>
    {
        UploadName name = run.Upload(upload);
        Assert.Equal(
            run.Model.End(name.Key, name.Upload),
            await run.Catalog.EndUploadAsync(name, run.Model.Tick, Cancel));
    };

    private static Step StepOfEndIdle(uint age) => async run =>
    {
        var before = new Tick(run.Model.Tick.Value - Math.Min(age, run.Model.Tick.Value));
        Assert.Equal(
            run.Model.EndIdle(before),
            await run.Catalog.EndIdleUploadsAsync(before, run.Model.Tick, 100, Cancel));
    };

    private static Step StepOfUploads(string prefix, string delimiter, int max) => run =>
        run.ListUploadsAsync(prefix, delimiter, max);

    private protected static UploadRow UploadOf(UploadName name, string contentType = "") => new()
    {
        Name = name,
        Begun = DateTimeOffset.UnixEpoch,
        Carried = new Carried { ContentType = contentType }.Encode(),
    };

    private sealed partial class Sequence
    {
        private readonly Dictionary<int, UploadId> _uploads = [];

        public UploadName Upload((string Key, int Upload) upload)
        {
            if (!_uploads.TryGetValue(upload.Upload, out UploadId id))
            {
                _uploads.Add(upload.Upload, id = UploadId.New(Model.Tick, Entropy));
            }

            return new UploadName(Vault, upload.Key, id);
        }

        public async Task CompleteAsync(CompleteOrder order)
        {
            var joined = Model.Join(order);
            if (Model.IsUnderWay(order.Upload) && joined is null)
            {
                await ThrowsAsync(
                    ErrorKind.InvalidArgument, () => Catalog.CompleteUploadAsync(order, Cancel));
                return;
            }

            CommitAnswer answer = await Catalog.CompleteUploadAsync(order, Cancel);
            byte[] manifest = [];
            if (joined is not null && answer.Kind == ErrorKind.None)
            {
                VersionRow head = (await Catalog.HeadAsync(Vault, [order.Upload.Key], Cancel))[0]!;
                manifest = head.Manifest;
                var made = Manifest.Decode(manifest);
                Assert.Equal(joined, CatalogModel.Expand(made));
                Assert.Equal("text/plain", made.ContentType);
                Assert.Equal(made.Contents.Length, made.Contents.DistinctBy(c => c.Id).Count());
            }

            Assert.Equal(Model.Complete(order, answer.Version, manifest, []), answer with { Detail = "" });
            Assert.Equal(
                answer.Kind, (await Catalog.CompleteUploadAsync(order, Cancel)).Kind);
        }

        // Page after page, until all is listed.
        public async Task ListUploadsAsync(string prefix, string delimiter, int max)
        {
            var uploads = new List<string>();
            var prefixes = new List<string>();
            var query = new UploadQuery { Vault = Vault, Prefix = prefix, Delimiter = delimiter, Max = max };
            while (true)
            {
                UploadListing page = await Catalog.ListUploadsAsync(query, Cancel);
                Assert.InRange(page.Uploads.Length + page.CommonPrefixes.Length, page.Next is null ? 0 : max, max);
                uploads.AddRange(page.Uploads.Select(u => $"{u.Name.Key} {u.Name.Upload}"));
                prefixes.AddRange(page.CommonPrefixes);
                if (page.Next is null)
                {
                    break;
                }

                query = query with { StartAfter = page.Next, AfterUpload = page.NextUpload };
            }

            (string[] expected, string[] expectedPrefixes) = Model.Uploads(prefix, delimiter);
            Assert.Equal(expected, uploads);
            Assert.Equal(expectedPrefixes, prefixes);
        }

        private async Task AssertSameUploadsAsync()
        {
            await ListUploadsAsync("", "", 100);
            foreach (UploadName name in SequenceKeys[..2].SelectMany(
                key => _uploads.Values.Select(id => new UploadName(Vault, key, id))))
            {
                if (Model.Parts(name.Key, name.Upload) is { } parts)
                {
                    ImmutableArray<PartRow> rows = await Catalog.ListPartsAsync(name, 0, 100, Cancel);
                    Assert.Equal(parts, rows.Select(p => $"{p.Number} {p.ETag} {p.Size}"));
                    Assert.Equal(
                        rows.Skip(1).Select(p => p.Number),
                        (await Catalog.ListPartsAsync(name, rows.FirstOrDefault()?.Number ?? 0, 100, Cancel))
                            .Select(p => p.Number));
                }
                else
                {
                    Assert.Null(await Catalog.FindUploadAsync(name, Cancel));
                    await ThrowsAsync(
                        ErrorKind.NotFound, () => Catalog.ListPartsAsync(name, 0, 100, Cancel));
                }
            }
        }
    }
}
