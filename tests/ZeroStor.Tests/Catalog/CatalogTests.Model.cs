using CsCheck;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

// Random sequences of everything a catalog does, each answer compared with a model that is too simple to be
// wrong.
public abstract partial class CatalogTests
{
    private const int ContentsOfASequence = 24;

    private static readonly string[] Pieces =
        ["/", "\u0001", "\u007f", "é", "😀", "\U0010FFFF", "\uFFFD", "a", "b"];

    private static readonly Gen<string> GenText =
        Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 3].Select(string.Concat);

    // Few keys, so that orders meet; all are made of the pieces that listings then ask for.
    private static readonly string[] SequenceKeys =
        ["a", "a/b", "a/\U0010FFFF", "a\u007f", "\uFFFD/a", "😀/a"];

    private static readonly Gen<string> GenKey =
        Gen.Int[0, SequenceKeys.Length - 1].Select(i => SequenceKeys[i]);

    private static readonly Gen<int> GenContent = Gen.Int[0, ContentsOfASequence - 1];

    private static readonly Gen<Precondition> GenCondition = Gen.Int[0, 9].Select(i => i switch
    {
        0 => new Precondition { IfMatch = "*" },
        1 => new Precondition { IfMatch = "e1" },
        2 => new Precondition { IfNoneMatch = "*" },
        3 => new Precondition { IfNoneMatch = "e1" },
        _ => Precondition.None,
    });

    private static readonly Gen<Step> GenStep = Gen.Frequency(
        (8, Gen.Select(GenKey, GenContent, GenContent.Array[0, 2], GenCondition, Gen.Int[0, 3], StepOfPut)),
        (3, Gen.Select(GenKey, GenContent, GenCondition, StepOfDelete)),
        (2, GenContent.Select(StepOfOpen)),
        (2, Gen.Select(GenContent, Gen.Int[0, 2], StepOfPage)),
        (1, GenContent.Array[0, 3].Select(StepOfCondemn)),
        (1, Gen.UInt[0, 3].Select(StepOfIdle)),
        (1, GenContent.Array[0, 3].Select(StepOfForget)),
        (2, Gen.UInt[1, 2].Select(StepOfTime)),
        (4, Gen.Select(GenText, GenText, GenText, Gen.Int[1, 5], StepOfList)),
        (9, GenUploadStep),
        (6, GenVersionStep));

    /// <summary>One call, made on a catalog and its model.</summary>
    private delegate Task Step(Sequence run);

    [Fact]
    public Task Any_sequence_of_calls_is_answered_as_the_model_does() => GenStep.Array[1, 60].SampleAsync(
        async steps =>
        {
            var run = new Sequence(await OpenEmptyAsync());
            await run.Catalog.AddVaultAsync(new VaultEntry("vault", Vault, new ClassId(1)), Cancel);
            foreach (Step step in steps)
            {
                await step(run);
            }

            await run.AssertSameAsync();
            await run.Catalog.DisposeAsync();
        },
        iter: Sequences,
        threads: 1);

    [Fact]
    public async Task Any_listing_of_any_keys_is_the_models()
    {
        // A vault for each set of keys; one listing after the other until all is listed.
        int vaults = 0;
        await Gen.Select(GenText.Array[0, 25], GenText, GenText, GenText, Gen.Int[1, 6]).SampleAsync(
            async (keys, prefix, delimiter, startAfter, max) =>
            {
                var run = new Sequence(Catalog, VaultId.New(Entropy));
                var entry = new VaultEntry($"keys-{vaults++}", run.Vault, new ClassId(1));
                await Catalog.AddVaultAsync(entry, Cancel);
                CommitOrder[] puts =
                [
                    .. keys.Where(k => k.Length > 0).Distinct().Select(k => Put(k, NewContent(default)) with
                    {
                        Vault = run.Vault, Now = default,
                    }),
                ];
                await Task.WhenAll(puts.Select(put => Catalog.CommitAsync(put, Cancel)));
                Array.ForEach(puts, put => run.Model.Commit(put));
                for (string? next = startAfter; next is not null;)
                {
                    next = await run.ListAsync(prefix, delimiter, next, max);
                }
            },
            iter: 300,
            threads: 1);
    }

    private static Step StepOfPut(
        string key, int content, int[] copied, Precondition condition, int how) => run =>
    {
        // 0: a copy that names no content of its own; 3: with pages.
        IEnumerable<int> named = how == 0 ? copied : copied.Append(content);
        return run.CommitAsync(new CommitOrder
        {
            Kind = CommitKind.Put,
            Vault = run.Vault,
            Key = key,
            Content = run.Content(content),
            If = condition,
            Now = run.Model.Tick,
            Modified = DateTimeOffset.UnixEpoch,
            Manifest = ManifestOf([.. named.Select(run.Content)]).Encode(),
            ETag = content % 2 == 0 ? "e1" : null,
            Pages = how == 3 ? [(0, [7])] : [],
        });
    };

    private static Step StepOfDelete(string key, int content, Precondition condition) => run =>
        run.CommitAsync(new CommitOrder
        {
            Kind = CommitKind.Delete,
            Vault = run.Vault,
            Key = key,
            Content = run.Content(content),
            If = condition,
            Now = run.Model.Tick,
            Modified = DateTimeOffset.UnixEpoch,
        });

    private static Step StepOfOpen(int content) => async run =>
    {
        ContentId id = run.Content(content);
        Assert.Equal(
            run.Model.Open(id), await run.Catalog.OpenContentAsync(id, run.Vault, run.Model.Tick, Cancel));
    };

    private static Step StepOfPage(int content, int page) => async run =>
    {
        ContentId id = run.Content(content);
        byte[] bytes = [(byte)content, (byte)page];
        bool? expected = run.Model.WritePage(id, page, bytes);
        Task<bool> writing = run.Catalog.WritePageAsync(id, page, bytes, run.Model.Tick, Cancel);
        if (expected is null)
        {
            await ThrowsAsync(ErrorKind.InvalidArgument, () => writing);
        }
        else
        {
            Assert.Equal(expected, await writing);
        }
    };

    private static Step StepOfCondemn(int[] contents) => async run =>
    {
        ContentId[] ids = [.. contents.Select(run.Content)];
        run.Model.Condemn(ids);
        await run.Catalog.CondemnAsync(run.Vault, ids, run.Model.Tick, Cancel);
    };

    private static Step StepOfIdle(uint age) => async run =>
    {
        var before = new Tick(run.Model.Tick.Value - Math.Min(age, run.Model.Tick.Value));
        Assert.Equal(
            run.Model.CondemnIdle(before),
            await run.Catalog.CondemnIdleAsync(before, run.Model.Tick, Cancel));
    };

    // A fabric forgets a row only when its content is too old to be let in again. Here they are forgotten young, and an id
    // may come again as if it were new. But where a mark is called by it: that order came to be applied twice, which
    // the age forbids.
    private static Step StepOfForget(int[] contents) => async run =>
    {
        ContentId[] ids = [.. contents.Select(run.Content)];
        run.Model.Forget(ids);
        await run.Catalog.ForgetAsync(ids, Cancel);
        run.RetireNamesOfVersions();
    };

    private static Step StepOfTime(uint ticks) => async run =>
    {
        for (uint i = 0; i < ticks; i++)
        {
            await run.Catalog.RaiseTickAsync(new Tick(run.Model.Tick.Value + i), Cancel);
        }

        run.Model.RaiseTick(ticks);
    };

    private static Step StepOfList(string prefix, string delimiter, string startAfter, int max) => run =>
        run.ListAsync(prefix, delimiter, startAfter, max);

    /// <summary>A catalog, its model, and the names of contents that a sequence uses.</summary>
    private sealed partial class Sequence(SqlCatalog catalog, VaultId? vault = null)
    {
        private readonly Dictionary<int, ContentId> _contents = [];

        public SqlCatalog Catalog => catalog;

        public VaultId Vault => vault ?? CatalogTests.Vault;

        public CatalogModel Model { get; } = new();

        public ContentId Content(int number)
        {
            if (!_contents.TryGetValue(number, out ContentId id))
            {
                _contents.Add(number, id = NewContent(Model.Tick));
            }

            return id;
        }

        public void RetireNamesOfVersions()
        {
            var names = SequenceKeys.SelectMany(k => Model.Names(k)).ToHashSet();
            foreach ((int number, ContentId id) in _contents)
            {
                if (names.Contains(new VersionId(id.Value)))
                {
                    _contents.Remove(number);
                }
            }
        }

        public async Task CommitAsync(CommitOrder order)
        {
            CommitAnswer expected = Model.Commit(order);
            CommitAnswer answer = await catalog.CommitAsync(order, Cancel);
            Assert.Equal(expected, answer with { Detail = "" });
            Assert.Equal(answer, await catalog.CommitAsync(order, Cancel));
        }

        public async Task<string?> ListAsync(string prefix, string delimiter, string startAfter, int max)
        {
            (string[] keys, string[] prefixes, string? next) = Model.List(prefix, delimiter, startAfter, max);
            Listing listing = await catalog.ListAsync(
                new ListQuery
                {
                    Vault = Vault, Prefix = prefix, Delimiter = delimiter, StartAfter = startAfter, Max = max,
                },
                Cancel);
            Assert.Equal(keys, listing.Versions.Select(v => v.Key));
            Assert.Equal(prefixes, listing.CommonPrefixes);
            Assert.Equal(next, listing.Next);
            return next;
        }

        public async Task AssertSameAsync()
        {
            Assert.Equal(Model.Counts, await catalog.CountAsync(Cancel));
            Tick[] ticks = [default, Model.Tick, new Tick(uint.MaxValue)];
            foreach (Tick diedBy in ticks)
            {
                Assert.Equal(
                    Model.Dead(Vault, default, diedBy, 100),
                    await catalog.ListDeadAsync(default, diedBy, 100, Cancel));
            }

            await AssertSameUploadsAsync();
            await AssertSameVersionsAsync();
            var heads = await catalog.HeadAsync(Vault, SequenceKeys, Cancel);
            Assert.Equal(
                SequenceKeys.Select(Model.Head),
                heads.Select(h => h is null
                    ? default((VersionId, string, long, byte[])?)
                    : (h.Version, h.ETag, h.Seq, h.Manifest)));
            foreach (ContentId content in _contents.Values)
            {
                for (int page = 0; page < 3; page++)
                {
                    Assert.Equal(
                        Model.ReadPage(content, page), await catalog.ReadPageAsync(content, page, Cancel));
                }
            }
        }
    }
}
