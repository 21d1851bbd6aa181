using System.CommandLine;
using ZeroStor.Client;

namespace ZeroStor.CommandLine;

/// <summary><c>zs uploads ls | abort</c>: uploads in parts that front ends began. They are made through the
/// SDK.</summary>
internal static class UploadVerbs
{
    public static Command Make() => new(
        "uploads",
        "Lists and gives up uploads in parts that are under way: what front ends began and did not complete.")
    {
        MakeList(), MakeAbort(),
    };

    private static Command MakeList()
    {
        var target = new Argument<string>("VAULT/PREFIX") { Description = "Where" };
        return Verb.Make("ls", """
            Lists the uploads under way: when each was begun, its id and its key.

              zs uploads ls photos
              zs uploads ls photos/2024/
            """, [target], async verb =>
        {
            var where = Target.Parse(verb.Arguments.GetRequiredValue(target));
            await using ZeroStorClient client = await verb.ConnectAsync();
            IAsyncEnumerable<UploadEntry> uploads = client.Vault(where.Vault).ListUploadsAsync(
                new ListUploadsOptions { Prefix = where.Key }, verb.Cancel);
            if (!verb.Output.IsJson)
            {
                await foreach (UploadEntry upload in uploads)
                {
                    verb.Output.Line($"{Text.Time(upload.Begun),-20}  {upload.Upload}  {upload.Key}");
                }

                return;
            }

            await verb.Output.JsonAsync(async w =>
            {
                w.WriteStartObject();
                w.WriteString("vault", where.Vault);
                w.WriteString("prefix", where.Key);
                await ObjectVerbs.WriteAllAsync(w, "uploads", uploads, (json, upload) =>
                {
                    json.WriteStartObject();
                    json.WriteString("key", upload.Key);
                    json.WriteString("upload", upload.Upload.ToString());
                    json.WriteString("begun", Text.Time(upload.Begun));
                    json.WriteEndObject();
                });
                w.WriteEndObject();
            });
        });
    }

    private static Command MakeAbort()
    {
        var target = new Argument<string>("VAULT/KEY") { Description = "The key of the object to come" };
        var id = new Argument<string>("UPLOAD") { Description = "Which of its uploads, as zs uploads ls shows it" };
        return Verb.Make("abort", """
            Gives an upload up, with all parts that were put; whoever puts another is told that there is none.

              zs uploads abort photos/2024/sea.jpg 0000138800000000000000000000002a
            """, [target, id], async verb =>
        {
            var where = Target.ParseObject(verb.Arguments.GetRequiredValue(target));
            UploadId upload = UploadId.Parse(verb.Arguments.GetRequiredValue(id));
            await using ZeroStorClient client = await verb.ConnectAsync();
            if (!await client.Vault(where.Vault).OpenUpload(where.Key, upload).AbortAsync(verb.Cancel))
            {
                throw ZeroStorException.NotFound($"There is no upload {upload} of '{where}'.");
            }

            verb.Output.Line($"Gave upload {upload} of {where} up.");
            verb.Output.Json(w =>
            {
                w.WriteString("vault", where.Vault);
                w.WriteString("key", where.Key);
                w.WriteString("aborted", upload.ToString());
            });
        });
    }
}
