using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed class CommitResultTests
{
    private static readonly VersionId Version = VersionId.New(new SeededEntropy(3));

    [Fact]
    public void Answers_are_kept_as_they_were()
    {
        CommitAnswer[] answers =
        [
            CommitResult.Applied(Version, long.MaxValue, Version.ToString()),
            CommitResult.Applied(Version, 0, "\"é\""),
            new CommitAnswer(ErrorKind.NotFound, "Vault x is no more."),
            CommitResult.Applied(Version, 7, Version.ToString()) with { IsMark = true },
            CommitResult.Applied(Version, 7, "e-3") with { Size = long.MaxValue },
        ];
        Assert.All(answers, answer => Assert.Equal(answer, CommitResult.Decode(CommitResult.Encode(answer))));
    }

    [Fact]
    public void An_etag_that_is_the_versions_id_takes_one_byte()
    {
        int own = CommitResult.Encode(CommitResult.Applied(Version, 1, Version.ToString())).Length;
        Assert.Equal(own + 1, CommitResult.Encode(CommitResult.Applied(Version, 1, "x")).Length);
    }

    [Fact]
    public void What_tells_neither_a_size_nor_a_mark_is_written_as_it_always_was()
    {
        CommitAnswer plain = CommitResult.Applied(Version, 5, "e");
        Assert.Equal(1, CommitResult.Encode(plain)[0]);
        Assert.Equal(2, CommitResult.Encode(plain with { Size = 1 })[0]);
        Assert.Equal(2, CommitResult.Encode(plain with { IsMark = true })[0]);
        Assert.Equal(1, CommitResult.Encode(new CommitAnswer(ErrorKind.NotFound, "Why."))[0]);
    }

    [Fact]
    public void An_unknown_format_is_refused()
    {
        byte[] bytes = CommitResult.Encode(new CommitAnswer(ErrorKind.NotFound, "Why."));
        bytes[0] = 9;
        ZeroStorException error = Assert.Throws<ZeroStorException>(() => CommitResult.Decode(bytes));
        Assert.Equal(ErrorKind.Corrupt, error.Kind);
    }
}
