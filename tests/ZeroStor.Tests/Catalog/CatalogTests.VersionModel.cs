using System.Collections.Immutable;
using CsCheck;

namespace ZeroStor.Tests.Catalog;

// What a random sequence does with versions and tags, beside all else.
public abstract partial class CatalogTests
{
    private static Gen<Step> GenVersionStep => Gen.Frequency(
        (2, Gen.Int[0, 5].Select(StepOfVersioning)),
        (5, Gen.Select(GenKey, GenContent, Gen.Int[0, 6], GenCondition, StepOfDeleteVersion)),
        (3, Gen.Select(GenKey, Gen.Int[0, 6], Gen.Int[0, 2], Gen.Bool, StepOfTags)),
        (3, Gen.Select(GenText, GenText, Gen.Int[1, 4], StepOfVersions)));

    private static Step StepOfVersioning(int which) => async run =>
    {
        // Off is asked for now and then, and refused once it was on.
        Versioning versioning = which switch
        {
            0 => Versioning.Off,
            < 4 => Versioning.On,
            _ => Versioning.Suspended,
        };
        Assert.Equal(
            run.Model.SetVersioning(versioning),
            await run.Catalog.SetVersioningAsync(run.Vault, versioning, Cancel));
    };

    private static Step StepOfDeleteVersion(string key, int content, int pick, Precondition condition) => run =>
        run.CommitAsync(new CommitOrder
        {
            Kind = CommitKind.Delete,
            Vault = run.Vault,
            Key = key,
            Content = run.Content(content),
            Version = run.Pick(key, pick),
            If = condition,
            Now = run.Model.Tick,
            Modified = DateTimeOffset.UnixEpoch,
        });

    private static Step StepOfTags(string key, int pick, int tag, bool hasWas) => async run =>
    {
        var order = new TagOrder
        {
            Vault = run.Vault,
            Key = key,
            Version = pick == 6 ? null : run.Pick(key, pick),
            Tags = TagsOf(tag),
            Was = hasWas ? TagsOf((tag + 1) % 3) : null,
        };
        VersionId? expected = run.Model.SetTags(order);
        for (int i = 0; i < 2; i++)
        {
            CommitAnswer answer = await run.Catalog.SetTagsAsync(order, Cancel);
            Assert.Equal(expected, answer.Kind == ErrorKind.None ? answer.Version : null);
        }
    };

    private static Step StepOfVersions(string prefix, string delimiter, int max) => run =>
        run.ListVersionsAsync(prefix, delimiter, max);

    private static byte[] TagsOf(int tag) =>
        tag == 0 ? [] : Tags.Encode(Tags.None.Add("tag", new string('x', tag)));

    private sealed partial class Sequence
    {
        /// <summary>The name of one of a key's versions, of its null version, or of none.</summary>
        public VersionId Pick(string key, int pick)
        {
            ImmutableArray<VersionId> names = Model.Names(key);
            return pick == 0 || names.IsEmpty ? VersionId.Null
                : pick == 5 ? new VersionId(5)
                : names[pick % names.Length];
        }

        // Page after page, until all is listed.
        public async Task ListVersionsAsync(string prefix, string delimiter, int max)
        {
            var versions = new List<string>();
            var prefixes = new List<string>();
            var query = new VersionQuery { Vault = Vault, Prefix = prefix, Delimiter = delimiter, Max = max };
            while (true)
            {
                VersionListing page = await Catalog.ListVersionsAsync(query, Cancel);
                Assert.InRange(page.Versions.Length + page.CommonPrefixes.Length, page.Next is null ? 0 : max, max);
                versions.AddRange(page.Versions.Select(
                    v => $"{v.Row.Key} {v.Row.Version} {v.Row.IsMark} {v.IsLatest}"));
                prefixes.AddRange(page.CommonPrefixes);
                if (page.Next is null)
                {
                    break;
                }

                query = query with { StartAfter = page.Next, BeforeSeq = page.NextSeq };
            }

            (string[] expected, string[] expectedPrefixes) = Model.Versions(prefix, delimiter);
            Assert.Equal(expected, versions);
            Assert.Equal(expectedPrefixes, prefixes);
        }

        private async Task AssertSameVersionsAsync()
        {
            await ListVersionsAsync("", "", 100);
            foreach (string key in SequenceKeys)
            {
                foreach (VersionId name in (VersionId[])[VersionId.Null, new VersionId(5), .. Model.Names(key)])
                {
                    VersionRow? row = await Catalog.FindVersionAsync(Vault, key, name, Cancel);
                    Assert.Equal(
                        Model.Describe(key, name),
                        row is null
                            ? null
                            : CatalogModel.Describe(
                                row.Version, row.ETag, row.Seq, row.IsMark, row.IsKept, row.Manifest, row.Tags));
                }
            }

            // A census meets each version once, the current ones first.
            var met = new List<VersionId>();
            foreach (bool isFormer in (bool[])[false, true])
            {
                VersionName after = default;
                while (true)
                {
                    ImmutableArray<NamedVersion> page = isFormer
                        ? await Catalog.ScanFormerAsync(after, 2, Cancel)
                        : await Catalog.ScanAsync(after, 2, Cancel);
                    if (page.IsEmpty)
                    {
                        break;
                    }

                    met.AddRange(page.Select(v => v.Row.Version));
                    after = page[^1].Name;
                }
            }

            Assert.Equal(
                SequenceKeys.SelectMany(k => Model.Names(k).Where(id => Model.IsReadable(k, id))).OrderBy(v => v.Value),
                met.OrderBy(v => v.Value));
        }
    }
}
